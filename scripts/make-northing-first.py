#!/usr/bin/python3
"""Writes src/crs/northing-first.ts from PROJ's copy of the EPSG registry (Debian: proj-data).

Usage: scripts/make-northing-first.py [/usr/share/proj/proj.db] > src/crs/northing-first.ts
"""
import sqlite3
import sys
import textwrap

database = sqlite3.connect(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/proj/proj.db")
first_axis = """
    select c.code, a.orientation from {} c join axis a
      on a.coordinate_system_auth_name = c.coordinate_system_auth_name
     and a.coordinate_system_code = c.coordinate_system_code
     and a.coordinate_system_order = 1
    where c.auth_name = 'EPSG'"""
axis = {int(code): orientation for table in ("projected_crs", "geodetic_crs")
        for code, orientation in database.execute(first_axis.format(table))}
for code, horizontal in database.execute(
        "select code, horiz_crs_code from compound_crs where auth_name = 'EPSG' and horiz_crs_auth_name = 'EPSG'"):
    axis[int(code)] = axis.get(int(horizontal), "")
version, = database.execute("select value from metadata where key = 'EPSG.VERSION'").fetchone()

ranges = []
for code in sorted(axis):
    if axis[code] not in ("north", "south"):
        ranges.append(None)
    elif ranges and ranges[-1]:
        ranges[-1][1] = code
    else:
        ranges.append([code, code])
words = " ".join(str(r[0]) if r[0] == r[1] else f"{r[0]}-{r[1]}" for r in ranges if r)

print(f"""// Made by scripts/make-northing-first.py from the EPSG registry {version}; not to be edited.

/** Codes and ranges of codes of the CRSs whose first axis is latitude or northing; codes between that are none are free. */
export const NORTHING_FIRST =""")
lines = textwrap.wrap(words, 100)
print(" +\n".join(f"  '{line}{' ' if k < len(lines) - 1 else ''}'" for k, line in enumerate(lines)) + ";")
