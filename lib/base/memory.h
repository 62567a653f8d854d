/*
 * memory.h - arrays from an svr_allocator.
 */
#ifndef SVR__MEMORY_H
#define SVR__MEMORY_H

#include <svr/base.h>

/* An array of count elements of size bytes, all zero; never NULL for an empty
 * one. NULL where the allocator refuses or the length cannot be expressed. */
void *svr__alloc(const svr_allocator *a, size_t count, size_t size);

/* The same, not cleared, so that only what is used becomes resident. */
void *svr__reserve(const svr_allocator *a, size_t count, size_t size);

/* Gives an array back, with the count and size it was asked for. NULL is
 * allowed. */
void svr__free(const svr_allocator *a, void *ptr, size_t count, size_t size);

#endif
