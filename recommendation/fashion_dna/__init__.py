"""Fashion DNA: vectors of articles, learnt from who bought what."""
