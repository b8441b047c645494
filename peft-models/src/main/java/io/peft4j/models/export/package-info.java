/**
 * Models and adapters for other programs. Open {@link io.peft4j.models.export.ModelExport} first: a model with its
 * adapters merged, as a Hugging Face folder or a GGUF file, checked by loading it again;
 * {@link io.peft4j.models.export.AdapterExport} writes an adapter for llama.cpp and says what other programs load.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models.export;
