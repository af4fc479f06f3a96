"""A file goes into the lake, with boto3; the same lines work against Amazon S3.

    pip install boto3
    python boto3_upload.py dataset.csv datasets/dataset.csv
"""
import os
import sys

import boto3


def upload_to_s3(file_path, s3_key, bucket="datamesh-datalake-demo"):
    s3 = boto3.client("s3", region_name="us-east-1",
                      endpoint_url=os.environ.get("S3_ENDPOINT_URL", "http://localhost:9000"),
                      aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "minioadmin"),
                      aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "minioadmin"))
    s3.upload_file(file_path, bucket, s3_key)
    print(f"{file_path} is s3://{bucket}/{s3_key}")


if __name__ == "__main__":
    upload_to_s3(*sys.argv[1:3])
