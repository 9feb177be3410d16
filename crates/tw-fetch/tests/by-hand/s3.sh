#!/bin/sh
# tw-fetch --external against a real S3 server, with the AWS command line: a plain
# recording through `aws s3 cp`, an encrypted one through `aws s3api get-object`.
# Both programs come from PyPI, into a folder that is removed afterwards.
# Usage: s3.sh TW-FETCH
set -eu
tw_fetch=$(realpath "$1")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
cd "$work"

python3 -m venv tools
tools/bin/pip install -q 'moto[s3,server]' awscli
export PATH="$work/tools/bin:$PATH"
moto_server -H 127.0.0.1 -p 0 > server.log 2>&1 &
server=$!
until address=$(grep -om1 'http://127.0.0.1:[0-9]*' server.log); do
    kill -0 "$server"
    sleep 0.1
done
export AWS_ENDPOINT_URL="$address" AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1

# Media: the start of a Matroska file, and something after it.
{ printf '\032\105\337\243'; head -c 3000000 /dev/urandom; } > media
aws s3 mb s3://mine > /dev/null
aws s3 cp --quiet media s3://mine/video/plain.mka

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem 2> /dev/null
openssl pkey -in key.pem -pubout -out key.pub
openssl rand 32 > content.key
openssl rand 16 > iv
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
openssl enc -aes-256-cbc -K "$(hex content.key)" -iv "$(hex iv)" -in media -out stored
sealed=$(openssl pkeyutl -encrypt -pubin -inkey key.pub -pkeyopt rsa_padding_mode:pkcs1 -in content.key | base64 -w0)
aws s3api put-object --bucket mine --key video/sealed.mka --body stored --metadata \
    "x-amz-key=$sealed,x-amz-iv=$(base64 -w0 iv),x-amz-unencrypted-content-length=$(wc -c < media)" > /dev/null

record() {
    printf '{"sid":"RT%032d","type":"audio","container_format":"mka","size":%d,' "$1" "$(wc -c < media)"
    printf '"media_external_location":"https://mine.s3.us-east-1.amazonaws.com/video/%s.mka","encryption_key":%s}\n' "$2" "$3"
}
export TWILIO_ACCOUNT_SID=AC00000000000000000000000000000000 TWILIO_AUTH_TOKEN=not-asked-for
record 1 plain null | "$tw_fetch" --dir got --external 'aws s3 cp s3://{bucket}/{key} {path}' > /dev/null
record 2 sealed '"CR1"' | "$tw_fetch" --dir got --private-key key.pem \
    --external 'aws s3api get-object --bucket {bucket} --key {key} {path}' > /dev/null
record 3 missing null | "$tw_fetch" --dir got --external 'aws s3 cp s3://{bucket}/{key} {path}' > /dev/null && exit 1

cmp media "got/RT$(printf %032d 1).mka"
cmp media "got/RT$(printf %032d 2).mka"
[ "$(find got -type f | wc -l)" = 2 ]
echo "a plain and an encrypted recording came whole out of the bucket, and a missing one was said"
