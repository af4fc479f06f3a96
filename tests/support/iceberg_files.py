"""The files of an Iceberg table: those its metadata names, those the object store has."""
from urllib.parse import urlparse


def needed_files(table):
    """{path: length that the metadata gives it, or None} of a PyIceberg table: all that the newest
    metadata and its snapshots name."""
    needed = {table.metadata_location: None}
    needed.update((entry.metadata_file, None) for entry in table.metadata.metadata_log)
    needed.update((file.statistics_path, file.file_size_in_bytes)
                  for file in table.metadata.statistics)
    manifests = {}
    for snapshot in table.metadata.snapshots:
        needed[snapshot.manifest_list] = None
        manifests.update((each.manifest_path, each) for each in snapshot.manifests(table.io))
    for path, manifest in manifests.items():
        needed[path] = manifest.manifest_length
        for entry in manifest.fetch_manifest_entry(table.io):
            needed[entry.data_file.file_path] = entry.data_file.file_size_in_bytes
    return needed


def stored_files(server, location):
    """{path: length} of everything below a table's location."""
    place = urlparse(location)
    pages = server.endpoint().client().get_paginator("list_objects_v2").paginate(
        Bucket=place.netloc, Prefix=place.path.strip("/") + "/")
    return {f"s3://{place.netloc}/{each['Key']}": each["Size"]
            for page in pages for each in page.get("Contents", [])}


def check_files(server, table):
    """Every file that the metadata names is there and as long as it says; the paths that nothing
    names."""
    needed, stored = needed_files(table), stored_files(server, table.metadata.location)
    missing = sorted(set(needed) - set(stored))
    assert not missing, f"files that the metadata names are missing: {missing}"
    wrong = {path: (length, stored[path]) for path, length in needed.items()
             if length is not None and length != stored[path]}
    assert not wrong, f"files have another length than the metadata says: {wrong}"
    return set(stored) - set(needed)
