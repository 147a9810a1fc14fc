/* What the URL parser needs of the C++ library beyond its headers, in place of the whole library: compiling that takes
 * longer than everything else of the guest. There are no exceptions, so what cannot be allocated ends in a trap. */
#include <charconv>
#include <cstdlib>
#include <new>
#include <string>

/* The header declares the members as instantiated elsewhere: here. */
template class std::basic_string<char>;

template <typename Integer> static std::string decimal(Integer value)
{
    char digits[24];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string std::to_string(int value) { return decimal(value); }
std::string std::to_string(unsigned value) { return decimal(value); }
std::string std::to_string(unsigned long value) { return decimal(value); }

extern "C" void engine_refused(void);

/* The standard asks for an address even where nothing is stored; malloc may have none for it. */
static void *allocate(std::size_t size) { return std::malloc(size ? size : 1); }

static void *allocate_or_trap(std::size_t size)
{
    void *memory = allocate(size);
    if (!memory) {
        engine_refused();    /* what the trap is for */
        std::abort();
    }
    return memory;
}

const std::nothrow_t std::nothrow{};

void *operator new(std::size_t size) { return allocate_or_trap(size); }
void *operator new[](std::size_t size) { return allocate_or_trap(size); }
void *operator new(std::size_t size, const std::nothrow_t &) noexcept { return allocate(size); }
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept { return allocate(size); }
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete[](void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void *memory, std::size_t) noexcept { std::free(memory); }

/* A bound was violated or a container is full: the library lets programs say what happens then. */
void std::__libcpp_verbose_abort(const char *, ...) noexcept { std::abort(); }

extern "C" [[noreturn]] void __cxa_pure_virtual() { std::abort(); }
