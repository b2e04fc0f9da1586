"""fmau: fine-grained micro-action understanding with multimodal LLMs."""
