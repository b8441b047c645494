/**
 * Requests and replies: routes, errors, who may come in. Read {@link io.peft4j.serve.http.HttpServer} first.
 */
@io.peft4j.core.Internal
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.http;
