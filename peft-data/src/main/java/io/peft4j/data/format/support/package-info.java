/**
 * What readers and writers of files share, in this module and in others: {@link
 * io.peft4j.data.format.support.DataFiles} opens files, compressed ones as if they were not, and {@link
 * io.peft4j.data.format.support.HandbookSections} divides handbooks.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.format.support;
