"""The JSON documents of the verbs: their fields, and builders of documents with figures from several places."""
