"""LocalStack's DynamoDB played by moto: DynamoDB Local, which it would start, is Java, under a licence of its own."""

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider


@aws_provider(api="dynamodb", name="moto")
def provider() -> Service:
    """Return a DynamoDB that implements no call itself, so that each falls through to moto."""
    return Service.for_provider(DynamodbApi(), dispatch_table_factory=MotoFallbackDispatcher)
