"""Results on the Hugging Face Hub: model cards, .eval_results, a static Space, and the push."""
