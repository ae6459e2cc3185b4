/* no_symbol.c - a shared object that is no policy. */
__attribute__((visibility("default"))) int answer(void);
int answer(void)
{
    return 42;
}
