#!/bin/sh
# Import a file:  sh import.sh suppliers suppliers.csv ['{"name": "Company"}']
set -eu
. "$(dirname "$0")/job.sh"

# The key is the request itself: sent twice, by mistake or after a broken connection, the file is imported once.
key=$({ printf '%s ' "$@"; cat "$2"; } | cksum | tr -c '[:alnum:]\n' -)
location=$(
  start --header "Idempotency-Key: $key" \
    --form "resource=$1" --form "file=@$2" ${3:+--form-string "mapping=$3"} \
    "$STOCKROOM_URL/api/v1/imports"
)
wait_for "$location"
ask --header "Accept: text/csv" "$STOCKROOM_URL$location/errors"
