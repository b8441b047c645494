/**
 * Reading safetensors: an 8-byte length, a JSON header, then the tensors' bytes. Open {@link
 * io.peft4j.core.safetensors.support.Safetensors} first: one file or a sharded checkpoint, read the same way.
 *
 * <p>Files are taken to be hostile: every length and offset is checked against the file before it is used, and whatever
 * is wrong with a file is a {@link io.peft4j.core.error.FileFormatException}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.safetensors.support;
