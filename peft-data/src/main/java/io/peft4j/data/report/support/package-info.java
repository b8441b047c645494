/**
 * How a check is made: {@link io.peft4j.data.report.support.RowScan} looks at one row, {@link
 * io.peft4j.data.report.support.CheckPart} collects what the rows of a part of the data say, and {@link
 * io.peft4j.data.report.support.CheckEnd} makes the report of all parts.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.report.support;
