#!/bin/sh
# Run by LocalStack in its container once it is ready: deploys what `make build` left in the project.
set -eu

project="${LANEWORK_PROJECT:-/project}"
stack="${LANEWORK_STACK:-lanework}"
built="$project/.aws-sam/build/template.yaml"
packaged="$(mktemp)"

if [ ! -f "$built" ]; then
  echo "lanework: nothing to deploy: run 'make build ARCHITECTURE=$(uname -m | sed s/aarch64/arm64/)' first" >&2
  exit 1
fi

bucket="$stack-code"
awslocal s3 mb "s3://$bucket"
awslocal cloudformation package --template-file "$built" --s3-bucket "$bucket" --output-template-file "$packaged"
awslocal cloudformation deploy --template-file "$packaged" --stack-name "$stack" \
  --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND \
  --parameter-overrides "Architecture=$(uname -m | sed s/aarch64/arm64/)"
echo "lanework: stack $stack is up"
