/**
 * Reading and writing examples in the formats of the field. Open {@link io.peft4j.data.format.ExampleReader} and
 * {@link io.peft4j.data.format.DataFormat} first; a format is one class that reads and writes a row, a file type one
 * {@link io.peft4j.data.format.OpenRows}.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.format;
