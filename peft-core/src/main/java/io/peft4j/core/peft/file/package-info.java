/**
 * Adapters on disk, as Hugging Face PEFT stores them. Open {@link io.peft4j.core.peft.file.AdapterCheckpoint} first: a
 * folder with a configuration and tensors, beside which a {@link io.peft4j.core.peft.file.support.AdapterProvenance}
 * says what they were made for. {@link io.peft4j.core.peft.file.AdapterSummary} reads a folder without its base model.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.file;
