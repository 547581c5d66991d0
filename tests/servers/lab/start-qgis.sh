#!/bin/bash
# Starts QGIS Server 3.22 as a WFS 1.1.0 server on loopback (Debian 12; root only to install packages, ~130 MB).
#   start-qgis.sh WORKDIR PORT [PARCELS=5000]             Stop it with: stop-lab.sh WORKDIR. One that runs already keeps its port.
#   http://127.0.0.1:PORT/wfs     every layer, from GeoPackage (namespace http://www.qgis.org/gml)
set -euo pipefail
. "$(dirname "$0")/lab.sh"
run=$work/qgis fcgi=/usr/lib/cgi-bin/qgis_mapserv.fcgi
mkdir -p "$run/home"
packages "command -v ogr2ogr && command -v lighttpd && command -v curl && command -v ps && ls $fcgi && /usr/bin/python3 -c 'import qgis.core, osgeo.ogr'" \
  qgis-server python3-qgis gdal-bin python3-gdal lighttpd curl procps
make_data

export QT_QPA_PLATFORM=offscreen HOME="$run/home" XDG_RUNTIME_DIR="$run/home"
chmod 700 "$run/home"
url=http://127.0.0.1:$(running_port qgis)/wfs
/usr/bin/python3 - "$data" "$run/lab.qgs" "$url" <<'PY' 2>"$run/project.log"
import sys
from osgeo import ogr
from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsProject, QgsVectorLayer
data, path, url = sys.argv[1:]
app = QgsApplication([], False)
app.initQgis()
project = QgsProject.instance()
project.setTitle("Labo WFS")
project.setCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
names = [("parcelle.gpkg", "parcelle")]
names += [("lab.gpkg", lyr.GetName()) for lyr in ogr.Open(data + "/lab.gpkg")]
ids = []
for file, name in names:
    layer = QgsVectorLayer(f"{data}/{file}|layername={name}", name, "ogr")
    assert layer.isValid(), name
    layer.setShortName(name)
    project.addMapLayer(layer)
    ids.append(layer.id())
    project.writeEntry("WFSLayersPrecision", "/" + layer.id(), 8)
project.writeEntry("WFSLayers", "/", ids)
project.writeEntry("WFSUrl", "/", url)
project.writeEntry("WMSServiceTitle", "/", "Labo WFS")
project.writeEntry("WMSServiceCapabilities", "/", True)
project.writeEntry("WMSCrsList", "/", ["EPSG:4326", "EPSG:2154", "EPSG:3857"])
assert project.write(path)
app.exitQgis()
PY
start_lighttpd qgis <<CONF
server.breakagelog = "$run/qgis.log"
fastcgi.server = ("/wfs" => ((
  "bin-path" => "$fcgi", "socket" => "$run/qgis.sock", "min-procs" => 2, "max-procs" => 2, "check-local" => "disable",
  "bin-environment" => ("QGIS_PROJECT_FILE" => "$run/lab.qgs", "QGIS_SERVER_LOG_LEVEL" => "1", "QGIS_SERVER_LOG_STDERR" => "1",
    "QT_QPA_PLATFORM" => "offscreen", "HOME" => "$run/home", "XDG_RUNTIME_DIR" => "$run/home", "LANG" => "C.UTF-8"))))
CONF
wait_for "$url"
