"""Identity resolution: links between identifiers, and when a value joins nobody any more."""
