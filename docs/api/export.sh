#!/bin/sh
# Export records and save the file:  sh export.sh products csv products.csv
set -eu
. "$(dirname "$0")/job.sh"

location=$(
  start --header "Content-Type: application/json" \
    --data "{\"resource\": \"$1\", \"format\": \"$2\"}" \
    "$STOCKROOM_URL/api/v1/exports"
)
wait_for "$location" > /dev/null
ask --output "$3" "$STOCKROOM_URL$location/download"
