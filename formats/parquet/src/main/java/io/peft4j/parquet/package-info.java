/**
 * Reads the rows of Parquet files, so that they become examples as those of JSON do. Open
 * {@link io.peft4j.parquet.ParquetFiles} first.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.parquet;
