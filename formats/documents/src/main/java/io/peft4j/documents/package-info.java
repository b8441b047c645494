/**
 * Reads PDF, DOCX and XLSX, so that handbooks and tables in them become rows as those of Markdown, HTML and CSV do.
 * Open {@link io.peft4j.documents.Documents} first.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.documents;
