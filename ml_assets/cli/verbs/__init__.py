"""The verbs of `ml-assets`, with their arguments, options and examples; `cli/commands` carries them out."""
