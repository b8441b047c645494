/**
 * Training examples, and how they become supervised tokens. Open {@link io.peft4j.data.ChatDataset} first, then
 * {@link io.peft4j.data.ChatEncoder}, which decides which tokens are learned. Below: {@code example} has the kinds
 * of rows, {@code format} reads and writes files, {@code report} finds what is wrong with them, {@code clean} mends it,
 * {@code split} cuts them up, {@code pack} makes batches, {@code mix} and {@code augment} make more of little;
 * {@code near} and {@code pii} say what is alike and what is personal.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data;
