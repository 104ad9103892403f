import { expect } from 'chai';
import { parseEventFormat } from './event-format.js';

const TEXT = `name: tcp_send_reset
ID: 2280
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:const void * skaddr;	offset:16;	size:8;	signed:0;
	field:enum sk_rst_reason reason;	offset:28;	size:4;	signed:0;
	field:__u8 saddr[28];	offset:32;	size:28;	signed:0;

print fmt: "state=%s reason=%s", REC->state ? __print_symbolic(REC->state, { TCP_ESTABLISHED, "TCP_ESTABLISHED" }) : "UNKNOWN", __print_symbolic(REC->reason, { 0, "NOT_SPECIFIED" }, { 1, "NO_SOCKET" })
`;

describe('the format of a tracepoint', () => {
  it('has its fields by name, arrays and pointers too', () => {
    const { name, id, fields } = parseEventFormat(TEXT);
    expect({ name, id }).to.deep.equal({ name: 'tcp_send_reset', id: 2280 });
    expect(fields.get('skaddr')).to.deep.equal({ offset: 16, octets: 8 });
    expect(fields.get('saddr')).to.deep.equal({ offset: 32, octets: 28 });
  });

  it('has the names of values', () => {
    expect(parseEventFormat(TEXT).symbols.get('reason')?.get(1)).to.equal('NO_SOCKET');
  });

  it('is refused in one sentence when it is not one', () => {
    expect(() => parseEventFormat('nonsense')).to.throw('a tracepoint format file without name or ID');
  });
});
