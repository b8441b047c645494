/**
 * Files below their formats. Open {@link io.peft4j.core.io.support.AtomicFiles} first: everything that this
 * library saves goes through it. {@link io.peft4j.core.io.internal.MappedFile} is how the large weight files are read;
 * {@link io.peft4j.core.io.support.FolderLock} keeps a folder to one writer.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.io.support;
