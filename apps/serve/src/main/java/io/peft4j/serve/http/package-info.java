/**
 * Requests and replies: routes, errors, who may come in. Read {@link io.peft4j.serve.http.HttpServer} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.serve.http;
