#!/bin/bash
# Starts MapServer as a WFS 1.1.0 server on loopback (Debian 12; root only to install packages).
#   start-mapserver.sh WORKDIR PORT [PARCELS=5000]        Stop it with: stop-lab.sh WORKDIR. One that runs already keeps its port.
#   http://127.0.0.1:PORT/wfs                   namespace prefix "ms" (MapServer's defaults)
#   http://127.0.0.1:PORT/wfs?map=CADASTRE      the same layers, own prefix + namespace, without parallel scans (see lab.sh)
#   http://127.0.0.1:PORT/wfs?map=LAMBERT       the same layers, offered in Lambert-93 alone: MapServer refuses every other CRS
#   http://127.0.0.1:PORT/wfs?map=CAPPED        the same layers, never more than 500 features an answer, and no word of it
# Layers come from PostGIS; each also from GeoPackage (NAME_gpkg), most from FlatGeobuf too (NAME_fgb).
set -euo pipefail
. "$(dirname "$0")/lab.sh"
run=$work/mapserver
mkdir -p "$run"
packages 'command -v ogr2ogr && command -v lighttpd && command -v curl && command -v ps && ls /usr/bin/mapserv /usr/lib/cgi-bin/mapserv &&
          ls /usr/lib/postgresql/*/bin/initdb && ls /usr/share/postgresql/*/extension/postgis.control && /usr/bin/python3 -c "from osgeo import ogr"' \
  cgi-mapserver mapserver-bin gdal-bin python3-gdal lighttpd postgresql-15-postgis-3 curl procps
make_data
start_postgis

layer() {  # NAME MAPSERVER-TYPE GML-GEOMETRY-TYPE EPSG FEATUREID-ITEM EXTENT SOURCE
  cat <<TEXT
  LAYER
    NAME "$1" TYPE $2 STATUS ON TEMPLATE "void" EXTENT $6
    $7
    PROJECTION "init=epsg:$4" END
    METADATA
      "wfs_title" "Couche $1" "wfs_srs" "$offered" "wfs_enable_request" "*"
      "gml_include_items" "all" "gml_featureid" "$5" "gml_types" "auto"
      "gml_geometries" "geom" "gml_geom_type" "$3" "wfs_use_default_extent_for_getfeature" "false"
    END
  END
TEXT
}
user=$(pg_user)
postgis() {
  echo "CONNECTIONTYPE POSTGIS CONNECTION \"host=$pg dbname=lab user=$user $options\" PROCESSING \"CLOSE_CONNECTION=DEFER\"
    DATA \"geom from $1 using unique gid using srid=$2\""
}
ogr() { echo "CONNECTIONTYPE OGR CONNECTION \"$data/$1.gpkg\" DATA \"$2\""; }
mapfile() {  # extra WEB METADATA, options of the connection to PostgreSQL, the CRSs that layers are offered in
  local options=${2:-} offered=${3:-EPSG:4326 EPSG:2154 EPSG:3857 CRS:84} around="1.6 48.0 2.1 48.4" world="-180 -90 180 90" name type gml epsg id extent file
  cat <<TEXT
MAP
  NAME "LAB" EXTENT -64 -22 56 52 SIZE 100 100 UNITS DD SHAPEPATH "$data"
  PROJECTION "init=epsg:4326" END
  WEB METADATA
    "wfs_title" "Labo WFS" "wfs_abstract" "Données d'essai" "wfs_enable_request" "*" "wfs_encoding" "UTF-8"
    "wfs_srs" "$offered" $1
  END END
TEXT
  while read -r name type gml epsg id; do
    extent=$around file=lab
    case $name in
      parcelle) file=parcelle ;;
      *_l93) extent="595000 6770000 635000 6810000" ;;
      *_merc) extent="178000 6106000 234000 6174000" ;;
      bord | departement) extent=$world ;;
    esac
    layer "$name" "$type" "$gml" "$epsg" "$id" "$extent" "$(postgis "$name" "$epsg")"
    layer "${name}_gpkg" "$type" "$gml" "$epsg" "${id/gid/fid}" "$extent" "$(ogr $file "$name")"
    [ ! -e "$data/$name.fgb" ] ||
      layer "${name}_fgb" "$type" "$gml" "$epsg" "${id/gid/fid}" "$extent" "CONNECTIONTYPE FLATGEOBUF DATA \"$name.fgb\""
  done <<LAYERS
parcelle     POLYGON polygon      4326 id
commune      POLYGON multipolygon 4326 insee
commune_l93  POLYGON multipolygon 2154 insee
commune_merc POLYGON multipolygon 3857 insee
troncon      LINE    line         4326 gid
troncon_l93  LINE    multiline    2154 gid
troncon_merc LINE    multiline    3857 gid
adresse      POINT   point        4326 gid
adresse_merc POINT   point        3857 gid
arbre        POINT   multipoint   4326 gid
carreau      POLYGON polygon      4326 gid
valeur       POINT   point        4326 gid
texte        POINT   point        4326 gid
borne_3d     POINT   point        4326 gid
bati_3d      POLYGON polygon      4326 gid
bord         POLYGON polygon      4326 gid
departement  POLYGON multipolygon 4326 gid
LAYERS
  echo END
}
url=http://127.0.0.1:$(running_port mapserver)/wfs
mapfile "\"wfs_onlineresource\" \"$url?\"" >"$run/lab.map"
mapfile "\"wfs_onlineresource\" \"$url?map=CADASTRE\" \"wfs_namespace_prefix\" \"cadastre\" \"wfs_namespace_uri\" \"http://lab.example.fr/cadastre\"" "options='-c max_parallel_workers_per_gather=0'" >"$run/cadastre.map"
mapfile "\"wfs_onlineresource\" \"$url?map=LAMBERT\"" '' EPSG:2154 >"$run/lambert.map"
mapfile "\"wfs_onlineresource\" \"$url?map=CAPPED\" \"wfs_maxfeatures\" \"500\"" >"$run/capped.map"
cat >"$run/mapserver.conf" <<CONF
CONFIG
  ENV MS_MAPFILE "$run/lab.map" MS_MAP_NO_PATH "1" MS_MAP_PATTERN "^$run/[a-z]+[.]map$" MS_ERRORFILE "$run/mapserver.log" END
  MAPS CADASTRE "$run/cadastre.map" LAMBERT "$run/lambert.map" CAPPED "$run/capped.map" LAB "$run/lab.map" END
END
CONF
start_lighttpd mapserver <<CONF
fastcgi.server = ("/wfs" => ((
  "bin-path" => "/usr/bin/mapserv", "socket" => "$run/mapserv.sock", "max-procs" => 4, "check-local" => "disable",
  "bin-environment" => ("MAPSERVER_CONFIG_FILE" => "$run/mapserver.conf"))))
CONF
wait_for "$url"
