# What the scripts beside share: read by them with “.”, not run by itself.

: "${STOCKROOM_URL:?Set STOCKROOM_URL, such as http://127.0.0.1:5000.}"
: "${STOCKROOM_TOKEN:?Set STOCKROOM_TOKEN to a token from your account page.}"

# One request; what is wrong is printed, and ends the script.
ask() {
  curl --silent --show-error --fail-with-body --header "Authorization: Bearer $STOCKROOM_TOKEN" "$@"
}

# One text out of a flat JSON object.
field() {
  sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"
}

# Ask for a job, and print where it is.
start() {
  answer=$(ask --write-out '\n%header{location}' "$@") || { printf '%s\n' "$answer" >&2; return 1; }
  printf '%s\n' "$answer" | tail -n 1
}

# Wait until a job has ended, and print it as JSON. Each request waits for up to 30 seconds.
wait_for() {
  while :; do
    job=$(ask "$STOCKROOM_URL$1?wait=30") || { printf '%s\n' "$job" >&2; return 1; }
    case $(printf %s "$job" | field status) in
      completed) printf '%s\n' "$job"; return 0 ;;
      failed | cancelled) printf '%s\n' "$job" >&2; return 1 ;;
    esac
  done
}
