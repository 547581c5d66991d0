#!/usr/bin/env python3
"""Writes what src/crs knows of the EPSG registry, each CRS checked against PROJ.

Usage (offline once installed; a few minutes):
    python3 -m venv venv && venv/bin/pip install pyproj==3.7.2
    venv/bin/python scripts/make-crs-tables.py

pyproj's own copy of PROJ and of the registry is taken, and none of its datum grids. Written are
    src/crs/registry.ts           codes that are geographic, codes whose first axis is latitude or northing
    src/crs/definitions.ts        every CRS that src/crs transforms as PROJ does, with the accuracy of its datum shift
    tests/fixtures/crs/proj.tsv   positions that PROJ transformed, of each of them
and to stderr what was left out, and why.
"""
import collections
import json
import math
import multiprocessing
import os
import re
import subprocess
import sys
import textwrap
import warnings

import pyproj
from pyproj.database import query_crs_info, get_database_metadata
from pyproj.enums import PJType, TransformDirection
from pyproj.transformer import Transformer, TransformerGroup

warnings.simplefilter("ignore")
pyproj.network.set_network_enabled(False)
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
ORIGIN = (f"// Made by scripts/make-crs-tables.py with PROJ {pyproj.proj_version_str} from the EPSG registry "
          f"{get_database_metadata('EPSG.VERSION')}; not to be edited.")
FINE = 0.002  # metres: how near src/crs must come to PROJ doing the very same operation
WORST = 50  # metres: a datum shift less accurate is of no use to anyone

# Frames within two metres of WGS 84 for which the registry has no operation without grids: taken as they are, as PROJ
# does. The others are far from it, or unknown.
NEARLY_WGS84 = re.compile(
    "(China Geodetic Coordinate System 2000|NAD83|ETRS89|ITRF|IGS|IGb|SIRGAS|GDA94|REDGEOMIN|LKS-2020)")
ELLIPSOIDS = pyproj.get_ellps_map()
# Metres, or degrees, in one unit.
UNITS = {u.proj_short_name: u.conv_factor for u in pyproj.database.get_units_map().values() if u.proj_short_name}
UNITS.update({"deg": 1, "grad": 0.9, "rad": 180 / math.pi})
# PROJ spells these out from its list of prime meridians (degrees).
MERIDIANS = {"paris": 2 + 20 / 60 + 14.025 / 3600, "lisbon": -(9 + 7 / 60 + 54.862 / 3600),
             "bogota": -(74 + 4 / 60 + 51.3 / 3600), "madrid": -(3 + 41 / 60 + 16.58 / 3600),
             "rome": 12 + 27 / 60 + 8.4 / 3600, "bern": 7 + 26 / 60 + 22.5 / 3600,
             "jakarta": 106 + 48 / 60 + 27.79 / 3600, "ferro": -(17 + 40 / 60), "brussels": 4 + 22 / 60 + 4.71 / 3600,
             "stockholm": 18 + 3 / 60 + 29.8 / 3600, "athens": 23 + 42 / 60 + 58.815 / 3600,
             "oslo": 10 + 43 / 60 + 22.5 / 3600}


class Unfit(Exception):
    """What src/crs has no words for."""


def number(value):
    return repr(value + 0.0).removesuffix(".0")


def ellipsoid(step):
    """Semi-major axis and inverse flattening (0: a sphere)."""
    if "ellps" in step:
        known = ELLIPSOIDS.get(step["ellps"])
        if known is None:
            raise Unfit(f"ellps {step['ellps']}")
        a = known["a"]
        return a, known["rf"] if "rf" in known else 0 if known["b"] == a else a / (a - known["b"])
    if "R" in step:
        return float(step["R"]), 0
    a = float(step["a"])
    if "rf" in step:
        return a, float(step["rf"])
    b = float(step["b"])
    return a, 0 if b == a else a / (a - b)


def helmert(step):
    """Geocentric translation (m), rotation (arc seconds, position vector), scale (ppm) and maybe a pivot (m)."""
    if any(float(step.get(rate, 0)) for rate in ("dx", "dy", "dz", "drx", "dry", "drz", "ds")):
        raise Unfit("moves with time")
    sign = -1 if step.get("convention") == "coordinate_frame" else 1
    shift = [float(step.get(p, 0)) for p in "xyz"] + [sign * float(step.get(p, 0)) for p in ("rx", "ry", "rz")]
    shift.append(float(step.get("s", 0)))
    if step["proj"] == "molobadekas":
        shift += [float(step[p]) for p in ("px", "py", "pz")]
    return inverted(shift) if step["inverse"] else shift


def rotated(shift, vector):
    """Scale and rotation, small angles, without the translation."""
    (rx, ry, rz), m = (math.radians(r / 3600) for r in shift[3:6]), 1 + shift[6] * 1e-6
    x, y, z = vector
    return [m * (x - rz * y + ry * z), m * (rz * x + y - rx * z), m * (-ry * x + rx * y + z)]


def inverted(shift):
    """The transposed rotation, as PROJ does it."""
    if len(shift) > 7:
        raise Unfit("inverse about a pivot")
    back = [0, 0, 0] + [-r for r in shift[3:6]] + [(1 / (1 + shift[6] * 1e-6) - 1) * 1e6]
    return [-t for t in rotated(back, shift[:3])] + back[3:]


def composed(first, second):
    if not any(first):
        return second
    if len(first) > 7 or len(second) > 7:
        raise Unfit("several shifts, one about a pivot")
    moved = [t + u for t, u in zip(second[:3], rotated(second, first[:3]))]
    scale = ((1 + first[6] * 1e-6) * (1 + second[6] * 1e-6) - 1) * 1e6
    return moved + [r + q for r, q in zip(first[3:6], second[3:6])] + [round(scale, 9)]


def read_pipeline(definition):
    """One of PROJ's pipelines to WGS 84 in this project's words: (projection, datum)."""
    steps = []
    for text in re.split(r" ?\bstep ", definition.removeprefix("proj=pipeline")):
        words = text.split()
        if words:
            step = {w.partition("=")[0]: w.partition("=")[2] for w in words}
            step["inverse"] = words[0] == "inv"
            steps.append(step)
    if [s["proj"] for s in steps] == ["noop"]:
        return "longlat", (6378137.0, 298.257223563, 0.0, ())
    unit, meridian, shift, projection, of = 1.0, 0.0, None, None, None
    for step in steps:
        name = step["proj"]
        if name == "unitconvert":
            if step["xy_out"] == "deg":
                continue
            unit = UNITS.get(step["xy_in"]) or float(step["xy_in"])
            if step["xy_out"] == "rad":
                projection = "longlat"
        elif name == "longlat" and step["inverse"]:
            if "pm" in step:
                meridian = MERIDIANS.get(step["pm"]) if step["pm"] in MERIDIANS else float(step["pm"])
            of = of or ellipsoid(step)
        elif name in ("push", "pop"):
            continue
        elif name == "cart":
            of = of or ellipsoid(step)
            shift = shift or [0.0] * 7
        elif name in ("helmert", "molobadekas"):
            shift = composed(shift, helmert(step))
        elif step["inverse"] and projection is None:
            of = ellipsoid(step)
            if "pm" in step:
                meridian = MERIDIANS.get(step["pm"]) if step["pm"] in MERIDIANS else float(step["pm"])
            projection = " ".join(w for w in projection_words(step))
        else:
            raise Unfit(name)
    if unit != 1:
        projection += f" unit={number(unit)}"
    return projection, (*(of or (6378137.0, 298.257223563)), meridian, tuple(shift or ()))


def projection_words(step):
    yield step["proj"]
    for key, value in step.items():
        if key in ("proj", "inv", "inverse", "ellps", "a", "b", "rf", "R", "pm"):
            continue
        if (key, value) in (("k", "1"), ("k_0", "1"), ("x_0", "0"), ("y_0", "0"), ("lat_0", "0"), ("lon_0", "0")):
            continue
        yield f"{key}={value}" if value else key


def is_northing_first(crs):
    """As PROJ decides it; of two axes that both point north or both south (at the poles) their names tell."""
    first, second = [a for a in crs.axis_info if a.direction not in ("up", "down")][:2]
    if first.direction in ("north", "south"):
        return second.direction not in ("north", "south") or first.name.startswith("Northing")
    return False


def area_points(bounds, steps=5):
    west, south, east, north = bounds
    if east < west:
        east += 360
    for i in range(steps):
        for j in range(steps):
            lon = west + (i + 0.5) / steps * (east - west)
            yield (lon - 360 if lon > 180 else lon), south + (j + 0.5) / steps * (north - south)


def metres_between(a, b):
    """Of two geographic positions, near enough."""
    dlon = (a[0] - b[0] + 180) % 360 - 180
    return math.hypot(dlon * 111320 * math.cos(math.radians(a[1])), (a[1] - b[1]) * 110574)


def candidates(crs):
    """PROJ's operations to WGS 84 that need no grids, as [(definition, accuracy, transformer)]."""
    base = crs.geodetic_crs
    found = []
    for source in (crs, base.to_2d() if crs.is_geographic else None):
        if source is None:
            continue
        try:
            group = TransformerGroup(source, 4326, always_xy=True, allow_ballpark=False)
        except Exception:
            continue
        found = [(t.definition, t.accuracy, t) for t in group.transformers]
        if found:
            return found
    # What is there for the datum, used outside the area it is meant for, or else none at all.
    operation = projection_pipeline(crs)
    if operation is None:
        return []
    try:
        shifts = [(t.definition, t.accuracy) for t in
                  TransformerGroup(base, 4326, always_xy=True, allow_ballpark=False).transformers]
    except Exception:
        shifts = []
    if not shifts and NEARLY_WGS84.match(base.name):
        shifts = [("proj=noop", 2.0)]
    for shift, accuracy in shifts:
        definition = join(operation, shift)
        if definition:
            found.append((definition, accuracy, Transformer.from_pipeline(definition)))
    return found


def projection_pipeline(crs):
    """From the CRS to its own base, longitude first in degrees."""
    if crs.is_geographic:
        return "proj=noop"
    if crs.coordinate_operation.method_code == "9830":
        return polar_stereographic_c(crs)
    try:
        return Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).definition
    except Exception:
        return None


def polar_stereographic_c(crs):
    """Variant C (IOGP 373-7-2 §3.1.3.3), which PROJ lacks, as a variant B with its origin moved to the pole."""
    value = {p.name: p.value for p in crs.coordinate_operation.params}
    lat = math.radians(value["Latitude of standard parallel"])
    a, rf = crs.ellipsoid.semi_major_metre, crs.ellipsoid.inverse_flattening
    e2 = (2 - 1 / rf) / rf
    radius = a * math.cos(lat) / math.sqrt(1 - e2 * math.sin(lat) ** 2)
    north = value["Northing at false origin"] + math.copysign(radius, lat)
    return (f"proj=pipeline step inv proj=stere lat_0={math.copysign(90, lat):.0f} lat_ts={math.degrees(lat):.10g} "
            f"lon_0={value['Longitude of origin']:.10g} x_0={value['Easting at false origin']:.10g} y_0={north:.6f} "
            f"a={a!r} rf={rf!r} step proj=unitconvert xy_in=rad xy_out=deg")


def join(first, second):
    """Two pipelines one after the other, where degrees of the first are radians of the second."""
    if second == "proj=noop" or second.startswith("proj=noop "):
        return first
    if first.startswith("proj=noop"):
        return second
    tail, head = " step proj=unitconvert xy_in=rad xy_out=deg", "proj=pipeline step proj=unitconvert xy_in=deg xy_out=rad"
    if not first.endswith(tail) or not second.startswith(head):
        return None
    return first.removesuffix(tail) + second.removeprefix(head)


def sample(transformer, points):
    """What PROJ makes of the points: [lon, lat, x, y, lon back, lat back], those it can do."""
    lons, lats = zip(*points)
    xs, ys = transformer.transform(lons, lats, direction=TransformDirection.INVERSE)
    rows = zip(lons, lats, xs, ys, *transformer.transform(xs, ys))
    return [list(row) for row in rows if all(map(math.isfinite, row))]


def describe(crs, points):
    """The CRS with PROJ's own results, or Unfit."""
    found = candidates(crs)
    if not found:
        raise Unfit("no operation to WGS 84 without grids")
    by_default = []
    if len(found) > 1:
        try:
            by_default = sample(Transformer.from_crs(crs, 4326, always_xy=True, allow_ballpark=False), points)
        except pyproj.exceptions.ProjError:
            pass
    reasons, best = [], None
    for definition, accuracy, transformer in found:
        try:
            projection, datum = read_pipeline(definition)
        except Unfit as reason:
            reasons.append(str(reason))
            continue
        if accuracy is None or accuracy < 0 or accuracy > WORST:
            reasons.append("datum shift of no known accuracy")
            continue
        # Where PROJ itself takes one operation here and another there, the one nearest to all of them.
        lons, lats = transformer.transform([row[2] for row in by_default], [row[3] for row in by_default])
        distance = max((metres_between(mine, row[4:]) for mine, row in zip(zip(lons, lats), by_default)), default=0)
        if best is None or distance < best["distance"] - 1e-6:
            best = {"projection": projection, "datum": datum, "accuracy": accuracy, "distance": distance,
                    "transformer": transformer}
    if best is None:
        raise Unfit(", ".join(sorted(set(reasons))))
    if not best["distance"] <= WORST:
        raise Unfit("PROJ takes several datum shifts, far from each other")
    best["rows"] = sample(best.pop("transformer"), points)
    if not best["rows"]:
        raise Unfit("PROJ itself transforms no point of its area")
    best["accuracy"] = max(best["accuracy"], math.ceil(best["distance"]) if best["distance"] > FINE else 0)
    return best


def main():
    types = [PJType.PROJECTED_CRS, PJType.GEOGRAPHIC_2D_CRS, PJType.GEOGRAPHIC_3D_CRS, PJType.COMPOUND_CRS]
    crss, geographic, northing, left_out = {}, set(), set(), collections.defaultdict(list)
    same_as = {}
    only = set(map(int, sys.argv[1:]))
    for info in query_crs_info("EPSG", types, allow_deprecated=True):
        code, crs = int(info.code), pyproj.CRS.from_epsg(int(info.code))
        horizontal = crs.sub_crs_list[0] if crs.is_compound else crs
        if horizontal.is_geographic:
            geographic.add(code)
        if is_northing_first(horizontal):
            northing.add(code)
        if only and code not in only:
            continue
        if crs.is_compound or info.type == PJType.GEOGRAPHIC_3D_CRS or len(horizontal.axis_info) > 2:
            same_as[code] = horizontal.to_2d()
        area = info.area_of_use
        crss[code] = (same_as.get(code, crs), area.bounds if area else (-180, -90, 180, 90))

    known = {}
    with multiprocessing.Pool(2) as pool:
        work = [(code, crs.to_json(), bounds, code in northing) for code, (crs, bounds) in sorted(crss.items())]
        for n, (code, result) in enumerate(pool.imap(work_on, work, chunksize=20)):
            if n % 500 == 0:
                print(n, "of", len(work), file=sys.stderr, flush=True)
            if isinstance(result, str):
                left_out[result].append(code)
            else:
                known[code] = result

    write_registry(geographic, northing)
    write_definitions(known)
    check(known, left_out)
    write_definitions(known)
    write_fixture(known)
    for reason, codes in sorted(left_out.items(), key=lambda item: -len(item[1])):
        print(f"left out, {reason}: {len(codes)}: {words_of(set(codes), set(crss))}", file=sys.stderr)


def work_on(job):
    code, crs, bounds, northing_first = job
    # By its code where it has one: PROJ finds more for a CRS of the registry than for one like it.
    try:
        known = pyproj.CRS.from_epsg(code)
        crs = known if len(known.axis_info) == 2 else pyproj.CRS.from_json(crs)
        result = describe(crs, list(area_points(bounds)))
    except Unfit as reason:
        return code, str(reason)
    if northing_first and "axis=sw" in result["projection"]:
        fix_axis(result)
    return code, result


def fix_axis(crs):
    """Southing and westing, in this order: src/crs is always given the one along the equator first."""
    crs["projection"] = crs["projection"].replace("axis=swu", "axis=wsu")
    crs["rows"] = [[lon, lat, y, x, lon2, lat2] for lon, lat, x, y, lon2, lat2 in crs["rows"]]


def check(known, left_out):
    """Leaves out what src/crs does otherwise than PROJ."""
    rows = {code: crs["rows"] for code, crs in known.items()}
    run = subprocess.run(["node", "--import", "tsx", "scripts/check-projections.mjs"], cwd=ROOT, check=True,
                         input=json.dumps(rows), stdout=subprocess.PIPE, text=True)
    worst = json.loads(run.stdout)
    figures = []
    for code in list(known):
        error = worst[str(code)]
        method = known[code]["projection"].split()[0]
        if error is None:
            left_out[f"not in proj4: {method}"].append(code)
            del known[code]
        elif not error <= FINE:
            left_out[f"otherwise than PROJ: {method}"].append(code)
            print(f"{code} {known[code]['projection']}: {error} m", file=sys.stderr)
            del known[code]
        else:
            figures.append(error)
    figures.sort()
    if figures:
        print(f"{len(figures)} CRSs; metres from PROJ at worst: median {figures[len(figures) // 2]:.2g}, "
              f"99 % {figures[len(figures) * 99 // 100]:.2g}, all {figures[-1]:.2g}", file=sys.stderr)


def words_of(codes, among):
    """Codes and ranges of codes; what is not among all the codes is free to be in a range."""
    ranges = []
    for code in sorted(among):
        if code not in codes:
            ranges.append(None)
        elif ranges and ranges[-1]:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return " ".join(str(r[0]) if r[0] == r[1] else f"{r[0]}-{r[1]}" for r in ranges if r)


def write_registry(geographic, northing):
    everything = {int(c) for t in (PJType.PROJECTED_CRS, PJType.GEOGRAPHIC_2D_CRS, PJType.GEOGRAPHIC_3D_CRS,
                                   PJType.COMPOUND_CRS, PJType.GEOCENTRIC_CRS, PJType.VERTICAL_CRS)
                  for c in (i.code for i in query_crs_info("EPSG", t, allow_deprecated=True))}
    with open(os.path.join(ROOT, "src/crs/registry.ts"), "w") as out:
        print(ORIGIN, file=out)
        for name, says, codes in (
                ("GEOGRAPHIC", "of the geographic CRSs, and of the compound ones with a geographic part", geographic),
                ("NORTHING_FIRST", "of the CRSs whose first axis is latitude or northing", northing)):
            print(f"\n/** Codes and ranges of codes {says}; codes between that are none are free. */\n"
                  f"export const {name} =", file=out)
            lines = textwrap.wrap(words_of(codes, everything), 100)
            print(" +\n".join(f"  '{line}{' ' if k < len(lines) - 1 else ''}'" for k, line in enumerate(lines)) + ";",
                  file=out)


def write_definitions(known):
    datums, projections = {}, collections.defaultdict(lambda: collections.defaultdict(list))
    for code, crs in sorted(known.items()):
        a, rf, meridian, shift = crs["datum"]
        words = [number(a), number(rf), number(meridian), number(crs["accuracy"])]
        datum = " ".join(words + [number(round(p, 9)) for p in shift])
        projections[crs["projection"]][datums.setdefault(datum, len(datums))].append(code)
    with open(os.path.join(ROOT, "src/crs/definitions.ts"), "w") as out:
        print(f"""{ORIGIN}

/**
 * Datums, one a line: semi-major axis (m), inverse flattening (0: a sphere), prime meridian (degrees), accuracy of the
 * way to WGS 84 (m) and, where there is something to do, translation (m), rotation (arc seconds, position vector
 * convention), scale (ppm) and maybe a pivot (m) of EPSG methods 9606 and 1063.
 */
export const DATUMS = `""", file=out, end="")
        print("\n".join(datums), file=out, end="`;\n")
        print("""
/** Projections, one a line: for each datum (line above, from 0) the EPSG codes, then the projection in PROJ's words. */
export const PROJECTIONS = `""", file=out, end="")
        for projection, codes in projections.items():
            print("".join(f"{datum}:{','.join(map(str, of))} " for datum, of in codes.items()) + "|" + projection, file=out)
        out.seek(out.tell() - 1)
        print("`;", file=out)


def write_fixture(known):
    with open(os.path.join(ROOT, "tests/fixtures/crs/proj.tsv"), "w") as out:
        print(f"# By PROJ {pyproj.proj_version_str} (scripts/make-crs-tables.py): EPSG code; a WGS 84 position lon, lat; what it "
              "becomes there, x, y;\n# and what these become in WGS 84, where that is not lon, lat again (heights are lost)",
              file=out)
        for code, crs in sorted(known.items()):
            lon, lat, x, y, *back = crs["rows"][(code * 7) % len(crs["rows"])]
            decimals = 10 if crs["projection"].startswith("longlat") else 5
            there = [round(lon, 10), round(lat, 10), round(x, decimals), round(y, decimals)]
            again = [round(v, 10) for v in back]
            if max(abs(p - q) for p, q in zip(there, again)) > 2e-10:
                there += again
            print(code, *map(number, there), sep="\t", file=out)


main()
