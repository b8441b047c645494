/**
 * Files in Amazon S3 and in Google Cloud Storage, for {@link io.peft4j.core.storage.RemoteFiles}; {@link
 * io.peft4j.cloud.storage.RemoteFolder} keeps a folder there up to date while somebody writes to it.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.cloud.storage;
