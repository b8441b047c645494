/**
 * Requests and replies: routes, errors, who may come in. Read {@link io.peft4j.serve.http.internal.HttpServer} first.
 */
package io.peft4j.serve.http.internal;
