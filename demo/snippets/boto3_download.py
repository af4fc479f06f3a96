"""A file comes out of the lake, with boto3.

    pip install boto3
    python boto3_download.py datasets/dataset.csv dataset.csv
"""
import os
import sys

import boto3


def download_from_s3(s3_key, file_path, bucket="datamesh-datalake-demo"):
    s3 = boto3.client("s3", region_name="us-east-1",
                      endpoint_url=os.environ.get("S3_ENDPOINT_URL", "http://localhost:9000"),
                      aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "minioadmin"),
                      aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "minioadmin"))
    s3.download_file(bucket, s3_key, file_path)
    print(f"s3://{bucket}/{s3_key} is {file_path}")


if __name__ == "__main__":
    download_from_s3(*sys.argv[1:3])
