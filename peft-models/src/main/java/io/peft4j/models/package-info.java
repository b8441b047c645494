/**
 * Language models: finding and loading them, their tokenizers and chat templates, text generation. They know no
 * adapter method. Open {@link io.peft4j.models.BaseModel} first; {@link io.peft4j.models.ModelOptions} says how one is
 * loaded.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.models;
