"""What any run needs: plain data, files, folders, seeds, threads and the training loop."""
