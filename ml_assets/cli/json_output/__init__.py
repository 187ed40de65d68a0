"""The JSON documents of the verbs: their fields, and builders of those whose figures come from several places."""
