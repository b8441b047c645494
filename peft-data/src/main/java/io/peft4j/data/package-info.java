/**
 * Training examples: reading, splitting, and turning them into supervised tokens. Open
 * {@link io.peft4j.data.ChatDataset} first, then {@link io.peft4j.data.ChatEncoder}, which decides which tokens are
 * learned.
 */
package io.peft4j.data;
