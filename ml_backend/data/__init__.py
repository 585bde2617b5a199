"""Where data comes from: label config, answers, records, media, encoders, embedding cache, data-set files, generators,
faiss index.
"""
