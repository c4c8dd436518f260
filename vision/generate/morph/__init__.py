"""People in other poses: a photo and two poses to the photo in the second pose, by attention that copies."""
