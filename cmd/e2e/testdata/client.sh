#!/bin/sh
# A client of curl and nothing else. Usage: client.sh URL LOGIN PASSWORD ROOM.
set -eu
url=$1 login=$2 password=$3 room=$4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() { echo "$*" >&2; exit 1; }
post() { # method body [header…]
	method=$1 body=$2
	shift 2
	curl -fsS --max-time 60 -H 'Content-Type: application/json' "$@" -d "$body" "$url/api/$method"
}
member() { # name: the value of a string or number in JSON on one line
	sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p'
}

token=$(post session.login "{\"login\":\"$login\",\"password\":\"$password\",\"device_name\":\"curl\"}" | member token)
[ -n "$token" ] || fail "no token"
auth="Authorization: Bearer $token"

text="来自 curl 的问候"
key=$(cat /proc/sys/kernel/random/uuid)
sent=$(post message.send "{\"room\":\"$room\",\"key\":\"$key\",\"text\":\"$text\"}" -H "$auth")
seq=$(echo "$sent" | member seq)
[ "$seq" -gt 0 ] || fail "not stored: $sent"
post message.send "{\"room\":\"$room\",\"key\":\"$key\",\"text\":\"$text\"}" -H "$auth" | grep -q '"again":true' || fail "the same key was stored again"
post room.history "{\"room\":\"$room\"}" -H "$auth" | grep -qF "$text" || fail "the history does not have it"

# A refusal has a status and a kind.
code=$(curl -sS --max-time 60 -o "$dir/refused" -w '%{http_code}' -H "$auth" -H 'Content-Type: application/json' -d '{"room":"0000000000001","key":"'"$(cat /proc/sys/kernel/random/uuid)"'","text":"x"}' "$url/api/message.send")
[ "$code" = 404 ] && grep -q '"kind":"not_found"' "$dir/refused" || fail "status $code: $(cat "$dir/refused")"
code=$(curl -sS --max-time 60 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -d '{}' "$url/api/room.list")
[ "$code" = 401 ] || fail "without a token: status $code"

# A file in one request, and back.
head -c 300000 /dev/urandom >"$dir/photo.bin"
file=$(curl -fsS --max-time 60 "$url/api/uploads" -H "$auth" -H 'Tus-Resumable: 1.0.0' \
	-H "Upload-Length: $(stat -c %s "$dir/photo.bin")" \
	-H "Upload-Metadata: filename $(printf %s photo.bin | base64 -w0)" \
	-H 'Content-Type: application/offset+octet-stream' --data-binary @"$dir/photo.bin" | member id)
[ -n "$file" ] || fail "no file"
post message.send "{\"room\":\"$room\",\"key\":\"$(cat /proc/sys/kernel/random/uuid)\",\"files\":[\"$file\"]}" -H "$auth" >/dev/null
curl -fsS --max-time 60 -H "$auth" -o "$dir/back.bin" "$url/files/$file/photo.bin"
want=$(sha256sum <"$dir/photo.bin")
[ "$(sha256sum <"$dir/back.bin")" = "$want" ] || fail "the file came back different"
curl -fsS --max-time 60 -H "$auth" -r 100000- -o "$dir/end.bin" "$url/files/$file/photo.bin"
[ "$(tail -c +100001 "$dir/photo.bin" | sha256sum)" = "$(sha256sum <"$dir/end.bin")" ] || fail "the range came back different"
echo "seq $seq file $file"
