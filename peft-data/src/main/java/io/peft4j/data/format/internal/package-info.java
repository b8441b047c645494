/**
 * Work on the rows of a file by several threads: {@link io.peft4j.data.format.internal.ParallelRows}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.format.internal;
