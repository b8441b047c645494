/** Parts of files that other modules' formats share: {@link io.peft4j.data.format.support.HandbookSections}. */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.format.support;
