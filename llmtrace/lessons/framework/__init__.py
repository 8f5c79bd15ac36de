"""What all lessons share: inputs and values, the text and its pages, exercises, and what has been learned."""
