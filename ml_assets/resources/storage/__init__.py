"""Objects in a directory or an S3 bucket, and the landing that reads daily files from them. Delta tables are in
`resources/lake`.
"""
