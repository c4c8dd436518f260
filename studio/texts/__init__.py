"""What pages say, in English and German."""
