"""The use case: answer one module request, without HTTP."""
