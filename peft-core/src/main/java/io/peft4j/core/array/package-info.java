/**
 * Native arrays: where they live and how Java code reads them. Open {@link io.peft4j.core.array.Arena} first (the
 * memory of a step), then {@link io.peft4j.core.array.Arrays} (creating, reading and converting arrays).
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.array;
