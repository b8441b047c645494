/**
 * Adapters on disk, as Hugging Face PEFT stores them. Open {@link io.peft4j.core.peft.file.AdapterCheckpoint} first: a
 * folder with a configuration and tensors.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.peft.file;
