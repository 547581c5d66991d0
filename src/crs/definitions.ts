// Made by scripts/make-crs-tables.py with PROJ 9.5.1 from the EPSG registry v11.022; not to be edited.

/**
 * Datums, one a line: semi-major axis (m), inverse flattening (0: a sphere), prime meridian (degrees), accuracy of the
 * way to WGS 84 (m) and, where there is something to do, translation (m), rotation (arc seconds, position vector
 * convention) and scale (ppm) of EPSG method 9606.
 */
export const DATUMS = `6378137 298.257223563 0 1
6378137 298.257222101 0 1
6378137 298.257222101 0 4
6378388 297 0 10 365 194 166 0 0 0 0
6378388 297 0 10 325 154 172 0 0 0 0
6378137 298.257223563 0 0
6378388 297 0 10 -87 -95 -120 0 0 0 0
6378137 298.257223563 0 2
6378249.2 293.4660212936269 2.337229166666667 2 -168 -60 320 0 0 0 0
6377397.155 299.1528128 0 13 572.213 85.334 461.94 4.9732 1.529 5.2484 3.5378
6377563.396 299.3249646 0 2 446.448 -125.157 542.06 0.15 0.247 0.842 -20.489
6377397.155 299.1528128 0 1 565.4171 50.3319 465.5524 -0.398957388243 0.343987817378 -1.87740163998 4.0725`;

/** Projections, one a line: for each datum (line above, from 0) the EPSG codes, then the projection in PROJ's words. */
export const PROJECTIONS = `0:2046 |tmerc axis=wsu lon_0=15
1:2154,5698 |lcc lat_0=46.5 lon_0=3 lat_1=49 lat_2=44 x_0=700000 y_0=6600000
2:2222 |tmerc lat_0=31 lon_0=-110.166666666667 k=0.9999 x_0=213360 unit=0.3048
3:2985 4:2986 |stere lat_0=-90 lat_ts=-67 lon_0=140 x_0=300000 y_0=-2299363.487831
5:3031 |stere lat_0=-90 lat_ts=-71
1:3170 |utm zone=58 south
5:3857 |webmerc
0:4171 6:4230 5:4326,4979 7:4490 |longlat
8:4807 |longlat unit=0.9
9:5513 |krovak axis=wsu lat_0=49.5 lon_0=24.8333333333333 alpha=30.2881397527778 k=0.9999
9:5514 |krovak lat_0=49.5 lon_0=24.8333333333333 alpha=30.2881397527778 k=0.9999
1:5972 |utm zone=32
1:7082 |stere lat_0=-90 lat_ts=-67 lon_0=140 x_0=300000 y_0=-2299235.007854
1:25838 |utm zone=38
8:27572 |lcc lat_1=46.8 lat_0=46.8 k_0=0.99987742 x_0=600000 y_0=2200000
10:27700 |tmerc lat_0=49 lon_0=-2 k=0.9996012717 x_0=400000 y_0=-100000
11:28992 |sterea lat_0=52.1561605555556 lon_0=5.38763888888889 k=0.9999079 x_0=155000 y_0=463000
5:32661 |stere lat_0=90 k=0.994 x_0=2000000 y_0=2000000`;
