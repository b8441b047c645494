/**
 * HTML pages that need nothing else: one file with its style and plots, no script, nothing loaded, readable on a phone,
 * light or dark as the reader's screen is.
 *
 * <pre>{@code
 * String page = Page.titled("Ship")
 *         .add(Blocks.banner(Status.GOOD, "Ship", "81 % of answers hold the expected fact against 5 %."))
 *         .add(Blocks.card("Metrics", IntervalPlot.titled("Differences").row("exact match", 12, 20, 28).html(),
 *                 Table.of("metric", "base", "tuned").row("exact match", "5.0 %", "25.0 %").html()))
 *         .html();
 * }</pre>
 *
 * <p>Open {@link io.peft4j.report.support.Page} first. Whatever is not {@link io.peft4j.report.support.Html} is text
 * and gets escaped, so that nothing in a data row or an answer becomes markup.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.report.support;
